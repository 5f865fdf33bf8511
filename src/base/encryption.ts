/** How a backup can be encrypted; also how its name ends. */
export const encryptions = ['age', 'gpg'] as const;

/** How the names of encrypted files end, for a regular expression. */
export const encryptedEnding = `\\.(?:${encryptions.join('|')})`;

export type Encryption = (typeof encryptions)[number];
