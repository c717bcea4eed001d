import { abort, address, complete, create, fileUrl, partUrl } from "./store.js";

/** `Plugin` gets the options of its version. */
export async function uppy(Uppy, Plugin, files, options) {
  const uppy = new Uppy({ autoProceed: false }).use(Plugin, options);
  uppy.on("progress", (percent) => (window.fraction = percent / 100));
  uppy.addFiles(files.map((file) => ({ source: "bench", name: file.name, type: file.type, data: file })));
  const { failed } = await uppy.upload();
  if (failed.length > 0) throw new Error(`Uppy failed: ${failed[0].error}`);
}

export const calls = ({ hosts }) => ({
  signed: (name, uploadId, partNumber) => partUrl(hosts[(partNumber - 1) % hosts.length], name, uploadId, partNumber),
  signedFile: (name) => fileUrl(hosts[0], name),
  address: (name) => address(hosts[0], name),
  create: (name) => create(hosts[0], name),
  complete: (name, uploadId, parts) => complete(hosts[0], name, uploadId, parts),
  abort: (name, uploadId) => abort(hosts[0], name, uploadId),
});
