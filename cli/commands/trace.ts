import type { Command } from 'commander';
export function addTraceCommand(_program: Command): void {}
