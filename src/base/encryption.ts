/** How a backup can be encrypted; also how its name ends. */
export const encryptions = ['age', 'gpg'] as const;

export type Encryption = (typeof encryptions)[number];
