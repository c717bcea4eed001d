import { Upload } from "tus-js-client";
import { pool } from "../store.js";

/** As many requests at once as everybody (`parallelUploads`), and no smaller chunks than that makes, as its documentation advises. */
const send = (file, { hosts, concurrency, single }) =>
  new Promise((resolve, reject) => {
    const upload = new Upload(file, {
      endpoint: `${hosts[0]}/tus`,
      ...(single ? { uploadDataDuringCreation: true } : { parallelUploads: concurrency }),
      metadata: { filename: file.name },
      onProgress: (sent, total) => (window.fraction = sent / total),
      onSuccess: resolve,
      onError: reject,
    });
    upload.start();
  });

export const run = (files, settings) => pool(files, settings.single ? settings.concurrency : 1, (file) => send(file, settings));
