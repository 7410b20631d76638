// A QR code, drawn here: the secret in it leaves this page for nowhere.
import { encode } from 'uqr';

export function Qr({ text, label }: { text: string; label: string }) {
  const { data, size } = encode(text, { ecc: 'M', border: 1 });
  let path = '';
  data.forEach((line, y) => line.forEach((on, x) => {
    if (on) path += `M${x} ${y}h1v1h-1z`;
  }));
  return (
    <div className="qr">
      <svg viewBox={`0 0 ${size} ${size}`} role="img" aria-label={label} shapeRendering="crispEdges">
        <path d={path} fill="#000" />
      </svg>
    </div>
  );
}
