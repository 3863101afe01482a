import { type AnyValue, type DeviceContent, type DeviceValue, isOnDevice, type Value } from './values.js';

/** What devices hold at the moment, and what went to and from them so far. */
export interface DeviceTraffic {
  /** Values with content, on all devices. */
  values: number;
  /** Bytes that programs were fed from the host. */
  sent: number;
  /** Bytes of outputs that the host received. */
  received: number;
}

const traffic: DeviceTraffic = { values: 0, sent: 0, received: 0 };

/** A count of device values and of bytes between host and devices, since the process began; the CPU does not count. */
export function deviceTraffic(): Readonly<DeviceTraffic> {
  return { ...traffic };
}

/** Counts a run of a program whose memory is not the host's. */
export function countRun(
  feeds: Readonly<Record<string, AnyValue>>,
  outputs: Readonly<Record<string, Value>>,
): void {
  for (const value of Object.values(feeds)) if (!isOnDevice(value)) traffic.sent += value.data.byteLength;
  for (const value of Object.values(outputs)) traffic.received += value.data.byteLength;
}

/** A place on a device, still empty. */
export function emptyDeviceValue(device: string): DeviceValue {
  return { device };
}

/** Puts another content into a place; the one before is freed. */
export function replaceContent(value: DeviceValue, content: DeviceContent): void {
  disposeValue(value);
  value.content = content;
  traffic.values++;
}

/** Frees what a value holds on a device; a second time, or for a value on the host, it does nothing. */
export function disposeValue(value: AnyValue): void {
  if (!isOnDevice(value) || !value.content) return;
  const { content } = value;
  value.content = undefined;
  traffic.values--;
  content.free();
}

/** `disposeValue` for each. */
export function disposeValues(values: Readonly<Record<string, AnyValue>>): void {
  for (const value of Object.values(values)) disposeValue(value);
}
