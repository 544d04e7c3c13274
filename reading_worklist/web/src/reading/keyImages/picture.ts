/** A frame at the size of a panel, whatever parameters its address has already. */
export function pictureOf(address: string, side = 240): string {
  return `${address}${address.includes('?') ? '&' : '?'}viewport=${String(side)},${String(side)}`;
}
