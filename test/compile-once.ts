/** Before the first test: what tests start as processes is compiled, once for all of them (program.ts). */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { compileInto } from './compiled.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** The folder that holds the sources compiled. */
    readonly compiled: string;
  }
}

/** Gives what ends it. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'firebreak-compiled-'));
  await compileInto(folder);
  project.provide('compiled', folder);
  return () => rm(folder, { recursive: true, force: true });
}
