/** Why to look at some backups, a line a reason: a loss that has not come back is that of each that follows it. */
export function describeLooks(
  newestFirst: readonly { readonly name: string; readonly suspicion?: string | undefined }[],
): string[] {
  const byReason = new Map<string, string[]>();
  for (const { name, suspicion } of newestFirst) {
    if (suspicion !== undefined) {
      byReason.set(suspicion, [...(byReason.get(suspicion) ?? []), name]);
    }
  }
  return [...byReason].map(([reason, [name = '', ...others]]) => {
    const more = others.length === 0 ? '' : ` and ${others.length} more`;
    return `LOOK at ${name}${more}: ${reason}`;
  });
}
