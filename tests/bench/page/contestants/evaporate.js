import Evaporate from "evaporate";

export async function run(files, { hosts, partSize, concurrency }) {
  const evaporate = await Evaporate.create({
    aws_key: "bench",
    bucket: "bucket",
    aws_url: hosts[0],
    awsSignatureVersion: "2",
    customAuthMethod: async () => "signature",
    logging: false,
    maxConcurrentParts: concurrency,
    partSize,
    s3FileCacheHoursAgo: null,
    mockLocalStorage: true,
  });
  await Promise.all(files.map((file) => evaporate.add({ name: file.name, file, progress: (fraction) => (window.fraction = fraction) })));
}
