/** Something that was asked for, or why it is not known. */
export type Known<Value> = { readonly value: Value } | { readonly unknown: string };

/** What is known; undefined where it is not. */
export const valueOf = <Value>(known: Known<Value>): Value | undefined =>
  'value' in known ? known.value : undefined;
