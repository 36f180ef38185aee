@main
struct HTTPKVS {
  static func main() {}
}
