import { Failure, messageOf, systemErrorCode } from '../base/errors.ts';

const hints: Readonly<Record<string, string>> = {
  EACCES: 'check the owner and permissions: the user who runs pratiko-backup must be able to write',
  EPERM: 'check the owner and permissions: the user who runs pratiko-backup must be able to write',
  EROFS: 'the file system is mounted read-only: check the disk and remount it, or set BACKUP_DIR',
  ENOENT: 'create the parent directory, mount the disk, or set BACKUP_DIR to where backups belong',
  ENOTDIR: 'set BACKUP_DIR to a directory: this path leads through a file',
  ENOSPC: 'free some space on this disk or set BACKUP_DIR to a larger one; no backup was removed',
  EDQUOT: 'the quota is used up: free some space or set BACKUP_DIR to a larger disk',
  EFBIG: 'raise the limit on file sizes (`ulimit -f`) for the user who runs pratiko-backup',
};

/** `cannot <doing>: <reason>`, with a hint for the usual reasons. */
export function storageFailure(doing: string, error: unknown): Failure {
  if (error instanceof Failure) return error;
  return new Failure('storage', `cannot ${doing}: ${reason(error)}`, {
    hint: hints[systemErrorCode(error) ?? ''] ?? 'check the disk and the path',
    cause: error,
  });
}

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  EROFS: 'the file system is read-only',
  ENOENT: 'no such file or directory',
  ENOTDIR: 'not a directory',
  ENOSPC: 'no space left on the disk',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'the file is larger than the limit',
};

function reason(error: unknown): string {
  return reasons[systemErrorCode(error) ?? ''] ?? messageOf(error);
}
