import type { ReadAccess } from '../../src/archive/reader.ts';
import { keysOf } from '../../src/encryption/keys.ts';

const { signal } = new AbortController();

/** Reads what is not encrypted. */
export const withoutKeys: ReadAccess = {
  signal,
  onStep: () => undefined,
  keys: keysOf(
    {
      ageRecipient: undefined,
      gpgRecipient: undefined,
      ageIdentityFile: undefined,
      resolvePath: (path) => path,
    },
    { environment: {}, signal },
  ),
};
