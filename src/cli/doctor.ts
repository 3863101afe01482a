import { availableParallelism, cpus, totalmem } from 'node:os';
import { Command } from 'commander';
import type { DeviceStatus, SpeedReport } from '../engine/devices.js';
import { packageVersion } from '../node/packageRoot.js';
import { type CommandStreams, createStatusLine } from './streams.js';

interface DoctorFlags {
  json?: boolean;
  speed: boolean;
}

/** A device with its speed, where it was measured; `speedError` says why it could not be. */
type CheckedDevice = DeviceStatus & { speed?: SpeedReport; speedError?: string };

/** `polybeam doctor`: what can compute here, how fast, and how to get what is missing. */
export function doctorCommand(streams: CommandStreams = process): Command {
  return new Command('doctor')
    .description('List devices and versions, check their speed, and say how to install what is missing.')
    .option('--json', 'print JSON')
    .option('--no-speed', 'skip the speed check, which takes some seconds')
    .addHelpText(
      'after',
      `
Examples:
  $ polybeam doctor
  $ polybeam doctor --json --no-speed`,
    )
    .action((flags: DoctorFlags) => doctor(flags, streams));
}

async function doctor(flags: DoctorFlags, streams: CommandStreams): Promise<void> {
  await import('../node/install.js');
  const { listDevices, speedCheck } = await import('../engine/devices.js');
  const status = createStatusLine(streams);
  const devices: CheckedDevice[] = [];
  try {
    status.show('trying devices');
    for (const device of await listDevices()) {
      if (!flags.speed || !device.available) {
        devices.push(device);
        continue;
      }
      status.show(`speed of ${device.name}`);
      devices.push(await withSpeed(device, speedCheck));
    }
  } finally {
    status.clear();
  }
  const report = { ...machine(), devices };
  streams.stdout.write(flags.json ? `${JSON.stringify(report, null, 2)}\n` : describe(report));
}

async function withSpeed(
  device: DeviceStatus,
  check: (name: DeviceStatus['name']) => Promise<SpeedReport>,
): Promise<CheckedDevice> {
  try {
    return { ...device, speed: await check(device.name) };
  } catch (error) {
    return { ...device, speedError: (error as Error).message.split('\n')[0] };
  }
}

function machine() {
  return {
    polybeam: packageVersion(),
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    processor: cpus()[0]?.model.trim() ?? 'unknown processor',
    threads: availableParallelism(),
    memoryGigabytes: Math.round(totalmem() / 2 ** 30),
  };
}

function describe(report: ReturnType<typeof machine> & { devices: CheckedDevice[] }): string {
  const { polybeam, node, platform, processor, threads, memoryGigabytes, devices } = report;
  const head = [
    `polybeam ${polybeam}, Node ${node}, ${platform}`,
    `${processor}, ${threads} threads, ${memoryGigabytes} GB`,
  ];
  return `${[...head, ...devices.flatMap(describeDevice)].join('\n')}\n`;
}

function describeDevice({
  name,
  available,
  version,
  detail,
  howToGet,
  speed,
  speedError,
}: CheckedDevice): string[] {
  const lines = ['', `${name}: ${available ? 'available' : 'not available'}`];
  lines.push(`  ${version ? `${version}, ` : ''}${detail}`);
  if (speed) lines.push(`  ${describeSpeed(speed)}`);
  if (speedError) lines.push(`  no speed: ${speedError}`);
  if (!available && howToGet) lines.push(`  to get it: ${howToGet}`);
  return lines;
}

function describeSpeed({ gigaflops, matrixSize, layerMilliseconds }: SpeedReport): string {
  const size = `${matrixSize} x ${matrixSize}`;
  const layer =
    layerMilliseconds === undefined
      ? ''
      : `, a Transformer layer (d 512, 8 x 32 tokens) in ${layerMilliseconds.toPrecision(3)} ms`;
  return `speed: ${gigaflops.toPrecision(3)} GFLOP/s in products of ${size}${layer}`;
}
