/** The entries of an environment that are set, and wanted. */
export const pick = (
  environment: Readonly<Record<string, string | undefined>>,
  isWanted: (name: string) => boolean = () => true,
): Record<string, string> =>
  Object.fromEntries(
    Object.entries(environment).filter(
      (entry): entry is [string, string] => entry[1] !== undefined && isWanted(entry[0]),
    ),
  );
