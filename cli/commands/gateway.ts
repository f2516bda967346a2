import type { Command } from 'commander';
export function addGatewayCommands(_program: Command): void {}
