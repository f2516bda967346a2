#!/usr/bin/env node
import { describeError, exitCodeOf } from './exit.js';
import { buildProgram } from './program.js';

try {
  await buildProgram().parseAsync(process.argv);
} catch (error) {
  const text = describeError(error, process.env['FIREBREAK_DEBUG'] === '1');
  if (text !== '') console.error(text);
  process.exitCode = exitCodeOf(error);
}
