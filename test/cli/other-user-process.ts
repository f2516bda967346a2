/** Asks, as a user that the modes of files hold for, whether the file named may be written; says what is refused. */
import { requireWritable } from '../../cli/present/show-trace.js';

const [, , json = ''] = process.argv;

if (process.getuid?.() === 0) process.setuid?.(65_534); // root may write whatever the mode says
try {
  await requireWritable({ json });
} catch (error) {
  console.log(JSON.stringify({ code: (error as { code?: string }).code, message: String(error) }));
}
