import { createMD5 } from "hash-wasm";

const ready = createMD5();
let turn = ready;

onmessage = ({ data: { id, blob } }) => {
  turn = turn.then(async () => {
    try {
      const hash = (await ready).init();
      const reader = blob.stream().getReader();
      for (let read = await reader.read(); !read.done; read = await reader.read()) hash.update(read.value);
      postMessage({ id, md5: hash.digest("hex") });
    } catch (error) {
      postMessage({ id, error: String(error) });
    }
  });
};
