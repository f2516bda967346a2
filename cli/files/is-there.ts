/** Whether there is anything under a name that this user may see. Never throws. */
import { stat } from 'node:fs/promises';

export const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
