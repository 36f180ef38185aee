@main
struct FileStoreWorker {
  static func main() {}
}
