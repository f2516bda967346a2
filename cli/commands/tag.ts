import type { Command } from 'commander';
export function addTagCommands(_program: Command): void {}
