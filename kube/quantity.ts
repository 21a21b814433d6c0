// Kubernetes' quantities ("50m", "96Mi", "2e3") as numbers that can be added and compared, and back.

const FACTORS: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  "": 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** In thousandths (of a core, a byte, a piece), rounded up as Kubernetes does; undefined for what is no quantity. */
export function thousandths(quantity: string | number): number | undefined {
  const [, digits, exponent, unit] =
    /^([+-]?(?:\d+\.?\d*|\.\d+))(?:[eE]([+-]?\d+)|([a-zA-Z]*))$/.exec(`${quantity}`) ?? [];
  const factor = exponent === undefined ? FACTORS[unit ?? ""] : 10 ** Number(exponent);
  if (digits === undefined || factor === undefined) return undefined;
  // 1.1 * 1000 is a little more than 1100, which is no reason to round up.
  return Math.ceil(Number((Number(digits) * factor * 1000).toPrecision(15)));
}

/** The shortest way to write it: `50m`, `2`, `96Mi`. */
export function quantityText(amount: number): string {
  if (amount % 1000 !== 0) return `${amount}m`;
  const whole = amount / 1000;
  for (const unit of ["Ti", "Gi", "Mi", "Ki"]) {
    const size = FACTORS[unit] ?? 1;
    if (whole !== 0 && whole % size === 0) return `${whole / size}${unit}`;
  }
  return `${whole}`;
}
