// What the README's samples take for granted.
import type { Provider, S3Provider, Upload, Uploader } from "partway";

declare global {
  const input: HTMLInputElement & { files: FileList };
  const bar: HTMLProgressElement;
  const label: HTMLElement;
  const file: File;
  const controller: AbortController;
  const webhooks: EventSource;
  const provider: Provider;
  const upload: Upload;
  const uploader: Uploader;
  function photo(file: File): Promise<File>;
  const text: string;
  const user: { id: string };
  function draw(fraction: number): void;
  const getCredentials: S3Provider["getCredentials"];
  function send(message: { text: string; mediaItems: (string | undefined)[] }): Promise<void>;
  function show(message: string, more?: { hint?: string; retry: boolean } | { onContinue(): unknown; onDiscard(): unknown }): void;
  function token(): Promise<string>;
  function setFraction(fraction: number): void;
  function useEffect(effect: () => () => void, dependencies: unknown[]): void;
}
