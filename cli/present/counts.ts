/** Numbers as people read them. */
const format = new Intl.NumberFormat('en-GB');

/** "3,080" */
export const count = (value: number): string => format.format(value);

/** "1 entry", "3,080 entries"; of a noun with another plural than by an s, that too. */
export const counted = (value: number, one: string, many = `${one}s`): string =>
  `${count(value)} ${value === 1 ? one : many}`;
