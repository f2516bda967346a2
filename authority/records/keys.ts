/** Days and other numbers in the keys of records: 8 hex digits, so that keys sort as the numbers do. */

/** `number` is a u32. */
export const numberInKey = (number: number): string => number.toString(16).padStart(8, '0');

/** The number behind the last slash of a key, however many digits it has. */
export const lastNumberIn = (key: string): number => Number.parseInt(key.slice(key.lastIndexOf('/') + 1), 16);
