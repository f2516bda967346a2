#!/usr/bin/env node
import { describeError, endInterrupted, exitCodeOf } from './terminal/exit.js';

// Whoever reads along may have seen enough (`| head`): what is left to say is dropped, the work goes on to its end.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

try {
  process.once('SIGINT', endInterrupted); // all of the program takes a moment to load
  const { buildProgram } = await import('./program.js');
  const program = buildProgram().hook('preAction', () => void process.off('SIGINT', endInterrupted));
  await program.parseAsync(process.argv);
} catch (error) {
  const text = describeError(error, process.env['FIREBREAK_DEBUG'] === '1');
  if (text !== '') console.error(text);
  process.exitCode = exitCodeOf(error);
}
