/** Programs that tests start as processes of their own, compiled before the first test (compile-once.ts). */
import { fileURLToPath } from 'node:url';
import { inject } from 'vitest';
import { compiledIn } from './compiled.js';

/** What Node runs for the module at `source`: `program(new URL('./x-process.ts', import.meta.url))`. */
export const program = (source: URL): string => compiledIn(inject('compiled'), fileURLToPath(source));

/** The command line. */
export const FIREBREAK = new URL('../cli/main.ts', import.meta.url);
