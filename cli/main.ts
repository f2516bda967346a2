#!/usr/bin/env node
import { describeError, exitCodeOf } from './terminal/exit.js';
import { buildProgram } from './program.js';

// Whoever reads along may have seen enough (`| head`): what is left to say is dropped, the work goes on to its end.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

try {
  await buildProgram().parseAsync(process.argv);
} catch (error) {
  const text = describeError(error, process.env['FIREBREAK_DEBUG'] === '1');
  if (text !== '') console.error(text);
  process.exitCode = exitCodeOf(error);
}
