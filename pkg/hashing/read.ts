/* Reading a Blob in a worker, in pieces that fit into one buffer: memory is the bar, whatever the file's size. */

/** Gives the next bytes of a Blob, at most so many; none at its end. */
export interface Reader {
  read(most: number): Promise<Uint8Array>;
  cancel(): void;
}

/** Every worker has it, and the compiler's types for pages don't. */
declare class FileReaderSync {
  readAsArrayBuffer(blob: Blob): ArrayBuffer;
}

/**
 * A reader of a Blob. A stream that fills a buffer of ours is several times as fast as FileReaderSync, which leaves a buffer to the
 * garbage collector for each piece; WebKit's streams can't.
 */
export function readerOf(blob: Blob, size: number): Reader {
  try {
    return streamed(blob.stream().getReader({ mode: "byob" }), size);
  } catch {
    return sliced(blob);
  }
}

/** Buffers that no reader uses. */
const spare: ArrayBufferLike[] = [];

function streamed(reader: ReadableStreamBYOBReader, size: number): Reader {
  // A read takes the buffer, and gives it back.
  let buffer = spare.pop() ?? new ArrayBuffer(size);
  return {
    async read(most) {
      const { value } = await reader.read(new Uint8Array(buffer as ArrayBuffer, 0, Math.min(most, size)));
      if (!value) return new Uint8Array();
      buffer = value.buffer;
      return value;
    },
    cancel() {
      void reader.cancel().catch(() => {});
      if (buffer.byteLength > 0) spare.push(buffer);
    },
  };
}

function sliced(blob: Blob): Reader {
  const reader = new FileReaderSync();
  let at = 0;
  return {
    async read(most) {
      await turn();
      const bytes = new Uint8Array(reader.readAsArrayBuffer(blob.slice(at, at + most)));
      at += bytes.length;
      return bytes;
    },
    cancel() {},
  };
}

const { port1, port2 } = new MessageChannel();
const turns: (() => void)[] = [];
port1.onmessage = () => turns.shift()?.();

/** Lets messages come in. A timer would wait for 4 ms. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    turns.push(resolve);
    port2.postMessage(undefined);
  });
}
