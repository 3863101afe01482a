import { parseArgs } from 'node:util';

/**
 * Reads flags that take a value. With --help, or a flag that is not there, it prints the usage and ends the process.
 * @param usage what stands behind `usage: `
 * @param defaults of each flag; undefined where it has none
 */
export function readFlags<Name extends string>(
  usage: string,
  defaults: Readonly<Record<Name, string | undefined>>,
): Record<Name, string | undefined> {
  const names = Object.keys(defaults) as Name[];
  const options = Object.fromEntries(names.map((name) => [name, { type: 'string' as const }]));
  if (process.argv.includes('--help')) {
    console.log(`usage: ${usage}`);
    process.exit(0);
  }
  try {
    const { values } = parseArgs({ options });
    return { ...defaults, ...(values as Record<Name, string | undefined>) };
  } catch (error) {
    console.error(`${(error as Error).message}\nusage: ${usage}`);
    process.exit(2);
  }
}
