// Correlation, line and band of two benchmarks, of the same draws of models as `corteval plot
// scatter`: numpy's PCG64 (XSL RR 128/64) from the state that the page was given, its multinomial
// by inversion, and the variance correction of corteval.intervals.
const uniforms = () => {
  const [m0, m1, m2, m3, m4, m5, m6, m7] = facts.draws.multiplier, [i0, i1, i2, i3, i4, i5, i6, i7] = facts.draws.increment;
  let [a0, a1, a2, a3, a4, a5, a6, a7] = facts.draws.state;
  return () => {
    // a = a * m + i modulo 2^128, in limbs of 16 bits
    let t = a0 * m0 + i0;
    const r0 = t & 65535;
    t = (t - r0) / 65536 + a1 * m0 + a0 * m1 + i1;
    const r1 = t & 65535;
    t = (t - r1) / 65536 + a2 * m0 + a1 * m1 + a0 * m2 + i2;
    const r2 = t & 65535;
    t = (t - r2) / 65536 + a3 * m0 + a2 * m1 + a1 * m2 + a0 * m3 + i3;
    const r3 = t & 65535;
    t = (t - r3) / 65536 + a4 * m0 + a3 * m1 + a2 * m2 + a1 * m3 + a0 * m4 + i4;
    const r4 = t & 65535;
    t = (t - r4) / 65536 + a5 * m0 + a4 * m1 + a3 * m2 + a2 * m3 + a1 * m4 + a0 * m5 + i5;
    const r5 = t & 65535;
    t = (t - r5) / 65536 + a6 * m0 + a5 * m1 + a4 * m2 + a3 * m3 + a2 * m4 + a1 * m5 + a0 * m6 + i6;
    const r6 = t & 65535;
    t = (t - r6) / 65536 + a7 * m0 + a6 * m1 + a5 * m2 + a4 * m3 + a3 * m4 + a2 * m5 + a1 * m6 + a0 * m7 + i7;
    a0 = r0; a1 = r1; a2 = r2; a3 = r3; a4 = r4; a5 = r5; a6 = r6; a7 = t & 65535;
    let low = (a4 ^ a0) | ((a5 ^ a1) << 16), high = (a6 ^ a2) | ((a7 ^ a3) << 16), turn = a7 >>> 10;
    if (turn > 31) { [low, high] = [high, low]; turn -= 32; }
    if (turn) [low, high] = [(low >>> turn) | (high << (32 - turn)), (high >>> turn) | (low << (32 - turn))];
    return ((high >>> 0) * 2097152 + (low >>> 11)) / 9007199254740992;
  };
};

// How often each of n models is drawn, draw by draw.
const drawn = new Map();
const counts = (n) => {
  if (drawn.has(n)) return drawn.get(n);
  const { resamples } = facts.draws, next = uniforms(), found = new Uint16Array(resamples * n);
  const chance = [], logarithm = [];
  for (let j = 0, left = 1; j < n - 1; j++, left -= 1 / n) { chance.push(1 / n / left); logarithm.push(Math.log(1 - Math.min(chance[j], 1 - chance[j]))); }
  for (let b = 0, start = 0; b < resamples; b++, start += n) {
    let left = n;
    for (let j = 0; j < n - 1 && left > 0; j++) {
      const flipped = chance[j] > 0.5, p = flipped ? 1 - chance[j] : chance[j], q = 1 - p;
      const none = Math.exp(left * logarithm[j]), bound = Math.min(left, Math.floor(left * p + 10 * Math.sqrt(left * p * q + 1)));
      let k = 0, px = none, u = next();
      while (u > px) {
        if (++k > bound) { k = 0; px = none; u = next(); } else { u -= px; px *= ((left - k + 1) * p) / (k * q); }
      }
      if (flipped) k = left - k;
      found[start + j] = k;
      left -= k;
    }
    found[start + n - 1] = left;
  }
  if (drawn.size > 3) drawn.clear();
  drawn.set(n, found);
  return found;
};

const quantile = (sorted, share) => {
  const place = share * (sorted.length - 1), low = Math.floor(place);
  return sorted[low] + (place - low) * ((sorted[low + 1] ?? sorted[low]) - sorted[low]);
};
// Bounds of `value`, whose replicates are moved onto it and stretched; none if too few are defined.
const bounds = (value, replicates, n) => {
  const kept = replicates.filter((v) => !Number.isNaN(v)).sort();
  if (kept.length < 0.9 * replicates.length) return null;
  const middle = quantile(kept, 0.5), stretch = Math.sqrt(n / (n - 1)) * facts.draws.tails[n];
  return [0.025, 0.975].map((share) => value + stretch * (quantile(kept, share) - middle));
};

const average = (values) => values.reduce((sum, v) => sum + v, 0) / values.length;
const standard = (values) => {
  const centre = average(values), spread = Math.sqrt(average(values.map((v) => (v - centre) ** 2)));
  const flat = spread <= 1e-13 * Math.max(...values.map(Math.abs));
  return { centre, spread: flat ? 0 : spread, values: values.map((v) => (v - centre) / spread) };
};

// Of x and y of the same models, in the order of the board: `reason` says why there is no more.
const relation = (x, y) => {
  const n = x.length, a = standard(x), b = standard(y);
  if (n < 4) return { reason: `There is no line and no correlation: ${n} models have both scores, a relation needs four.` };
  const flat = a.spread === 0 ? x : b.spread === 0 ? y : null;
  if (flat) return { reason: `There is no line and no correlation: all models score ${flat[0]} on one of the two.` };
  const r = average(a.values.map((v, i) => v * b.values[i])), slope = r * b.spread;
  return { n, a, b, r, slope, at: (place) => b.centre + slope * ((place - a.centre) / a.spread) };
};
// The interval of r, and the band at `places`; takes a moment for hundreds of models.
const uncertainty = ({ n, a, b, r, at }, y, places) => {
  const of = counts(n), { resamples, band } = facts.draws, z = new Float64Array(resamples);
  const lines = places.map(() => new Float64Array(band)), away = places.map((place) => (place - a.centre) / a.spread);
  for (let d = 0, start = 0; d < resamples; d++, start += n) {
    let sa = 0, sb = 0, saa = 0, sbb = 0, sab = 0, sy = 0, say = 0;
    for (let i = 0; i < n; i++) {
      const w = of[start + i];
      if (!w) continue;
      const u = a.values[i], v = b.values[i];
      sa += w * u; sb += w * v; saa += w * u * u; sbb += w * v * v; sab += w * u * v; sy += w * y[i]; say += w * u * y[i];
    }
    const va = saa / n - (sa / n) ** 2, vb = sbb / n - (sb / n) ** 2;
    const inner = 1 - 1e-12, found = (sab / n - (sa / n) * (sb / n)) / Math.sqrt(va * vb);
    z[d] = Math.min(va, vb) < 1e-12 ? NaN : Math.atanh(Math.max(-inner, Math.min(inner, found)));
    if (d >= band) continue;
    const slope = va < 1e-12 ? NaN : (say / n - (sa / n) * (sy / n)) / va;
    lines.forEach((line, k) => { line[d] = sy / n + slope * (away[k] - sa / n); });
  }
  const found = bounds(Math.atanh(Math.max(-1 + 1e-12, Math.min(1 - 1e-12, r))), z, n);
  const strip = places.map((place, k) => [place, bounds(at(place), lines[k], n)]);
  return { interval: found && found.map(Math.tanh), band: strip.some(([, pair]) => !pair) ? null : strip };
};
