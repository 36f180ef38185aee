import JSON
import Testing

@testable import LocalKubelet

@Suite struct ManifestTests {
  private let yaml = """
    apiVersion: v1
    kind: ServiceAccount
    metadata: {name: passed-over}
    ---
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: blue, namespace: demo}
    spec:
      replicas: 1
      template:
        metadata:
          labels: {app: blue}
          annotations: {guarded: "true", seconds: "10", plain: 10}
        spec:
          containers: [{name: main, image: busybox, command: [sleep, "60"]}]
    ---
    apiVersion: batch/v1
    kind: Job
    metadata: {name: nightly}
    spec: {template: {spec: {containers: [{name: main}], restartPolicy: Never}}}
    ---
    apiVersion: v1
    kind: Pod
    metadata: {name: bare}
    spec: {containers: [{name: main}]}
    """

  @Test func aFileOfManyDocumentsYieldsItsWorkloads() throws {
    let manifests = try Manifest.all(parsing: yaml)
    #expect(manifests.map(\.kind) == [.deployment, .job, .pod])
    #expect(manifests.map(\.namespace) == ["demo", "default", "default"])
  }

  @Test func quotedScalarsStayStrings() throws {
    let annotations = try Manifest.all(parsing: yaml)[0].makePod()["metadata"]?["annotations"]
    #expect(annotations?["guarded"] == .string("true"))
    #expect(annotations?["seconds"] == .string("10"))
    #expect(annotations?["plain"] == .number("10"))
  }

  @Test func aDeploymentsPodBelongsToAReplicaSetAndHasNoNameYet() throws {
    let metadata = try #require(Manifest.all(parsing: yaml)[0].makePod()["metadata"])
    let owner = try #require(metadata["ownerReferences"]?.array?.first)
    #expect(metadata["name"] == nil)
    #expect(metadata["uid"] == nil)
    #expect(metadata["generateName"]?.string == "\(owner["name"]?.string ?? "")-")
    #expect(owner["kind"]?.string == "ReplicaSet")
    #expect(
      owner["name"]?.string == "blue-\(metadata["labels"]?["pod-template-hash"]?.string ?? "")")
    #expect(metadata["namespace"]?.string == "demo")
  }

  @Test func aJobsPodBelongsToIt() throws {
    let metadata = try #require(Manifest.all(parsing: yaml)[1].makePod()["metadata"])
    #expect(metadata["generateName"]?.string == "nightly-")
    #expect(metadata["ownerReferences"]?.array?.first?["kind"]?.string == "Job")
  }

  @Test func aBarePodKeepsItsName() throws {
    let metadata = try #require(Manifest.all(parsing: yaml)[2].makePod()["metadata"])
    #expect(metadata["name"]?.string == "bare")
    #expect(metadata["ownerReferences"] == nil)
  }

  @Test func aManifestWithoutContainersIsRefused() {
    #expect(throws: LocalKubeletError.self) {
      try Manifest.all(parsing: "{kind: Pod, metadata: {name: x}, spec: {}}")
    }
  }
}
