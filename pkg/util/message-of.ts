/** The message of whatever was thrown, which needn't be an Error. */
export function messageOf(thrown: unknown): string {
  return `${(thrown as Partial<Error> | null | undefined)?.message ?? thrown}`;
}
