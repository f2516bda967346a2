import type { Command } from 'commander';
export function addTracerCommands(_program: Command): void {}
