/* As much of the frameworks as the entries for them use. It isn't published; an application has the frameworks themselves. */
declare module "react" {
  export function useSyncExternalStore<T>(subscribe: (listener: () => void) => () => void, get: () => T, getOnServer: () => T): T;
}
declare module "vue" {
  export interface ShallowRef<T> {
    value: T;
  }
  export interface ComputedRef<T> {
    readonly value: T;
  }
  export type MaybeRefOrGetter<T> = T | ShallowRef<T> | (() => T);
  export function shallowRef<T>(value: T): ShallowRef<T>;
  export function computed<T>(get: () => T): ComputedRef<T>;
  export function toValue<T>(source: MaybeRefOrGetter<T>): T;
  export function onScopeDispose(dispose: () => void): void;
}
