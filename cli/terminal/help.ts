/** How help lists options: required ones say so, and those that hardly anybody needs come last. */
import { Help } from 'commander';
import type { Command, HelpConfiguration, Option } from 'commander';

const SELDOM: readonly string[] = ['clockStart', 'clockRate', 'help'];

const plainHelp = new Help();
const placeOf = (option: Option): number => SELDOM.indexOf(option.attributeName());

export const HELP: HelpConfiguration = {
  optionDescription(option: Option): string {
    const words = plainHelp.optionDescription(option);
    return option.mandatory ? `${words} (required)` : words;
  },
  visibleOptions(command: Command): Option[] {
    return plainHelp.visibleOptions(command).toSorted((one, other) => placeOf(one) - placeOf(other));
  },
};
