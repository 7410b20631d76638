// The mark: water that runs over a weir.

export function Mark({ size = 30 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="6" fill="#1d4346" />
      <g fill="none" stroke="#5cc9be" strokeWidth="2.4" strokeLinecap="round">
        <path d="M5 9h10c5 0 4 8 9 8h3" />
        <path d="M5 14h7c5 0 4 8 9 8h6" opacity=".7" />
        <path d="M5 19h4" opacity=".45" />
      </g>
      <path d="M13 19l6 9h-6z" fill="#e8f3f1" />
    </svg>
  );
}

/** The same picture, large and quiet, for the wall of the sign-in page. */
export function River() {
  const lines = Array.from({ length: 11 }, (_, n) => n);
  return (
    <svg className="river" viewBox="0 0 600 360" preserveAspectRatio="xMidYMax slice" aria-hidden="true" focusable="false">
      <g fill="none" stroke="currentColor" strokeWidth="1.6">
        {lines.map((n) => {
          const y = 40 + n * 15;
          const x = 330 - n * 9;
          return <path key={n} d={`M-10 ${y} H${x} C${x + 70} ${y} ${x + 40} ${y + 130} ${x + 120} ${y + 130} H620`} opacity={0.5 - n * 0.04} />;
        })}
      </g>
    </svg>
  );
}

/** Calm water, for pages with nothing on them. */
export function Calm() {
  return (
    <svg width="72" height="30" viewBox="0 0 72 30" aria-hidden="true" focusable="false">
      <g fill="none" stroke="currentColor" strokeWidth="2" strokeLinecap="round">
        <path d="M4 6h26c8 0 6 14 14 14h24" />
        <path d="M4 14h18c8 0 6 14 14 14" opacity=".55" />
      </g>
    </svg>
  );
}
