/**
 * Refuses the device of a flag that cannot be used, before the command reads its files. The library is imported only for
 * another device than the CPU.
 *
 * @throws PolybeamError DEVICE_UNKNOWN, DEVICE_UNAVAILABLE
 */
export async function requireDeviceOf({ device }: { device?: unknown }): Promise<void> {
  if (device === undefined || device === 'cpu') return;
  await import('../node/install.js');
  const { requireDevice } = await import('../engine/tryDevice.js');
  await requireDevice(String(device));
}
