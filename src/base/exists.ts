import { access } from 'node:fs/promises';

/** @param mode what we must be allowed to do with it (`constants` of `node:fs`), if that is asked, too. */
export const exists = (path: string, mode?: number): Promise<boolean> =>
  access(path, mode).then(
    () => true,
    () => false,
  );
