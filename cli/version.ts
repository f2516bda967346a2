/** The version that `firebreak --version` and the writers' status tell; the same as in package.json. */
export const VERSION = '0.1.0';
