import type { Command } from 'commander';
export function addAuthorityCommands(_program: Command): void {}
