import { ReplayFilter } from '../dump/replay-filter.ts';
import { RoleFilter } from '../dump/role-filter.ts';
import { majorVersion } from '../base/major-version.ts';
import type { ServerFacts } from './server-facts.ts';

/**
 * What is replayed of a dump on a server.
 * @param onUnsafe told what reaches outside the database; without it, that is an error.
 */
export const createReplayFilter = (
  { roles, version, superuser }: ServerFacts,
  choice: { readonly owners: boolean; readonly privileges: boolean },
  onUnsafe?: (message: string) => void,
): ReplayFilter =>
  new ReplayFilter({
    ownership: new RoleFilter({ roles, ...choice }),
    serverMajor: majorVersion(version),
    superuser,
    ...(onUnsafe && { onUnsafe }),
  });
