// The six digits of an authenticator app (RFC 6238): however they are typed or pasted, only the digits count.
import { Input } from 'antd';

interface Props {
  id?: string;
  value?: string;
  onChange?: (digits: string) => void;
  /** All six are there. */
  onWhole?: (digits: string) => void;
  autoFocus?: boolean;
  /** As wide as what is around it. */
  block?: boolean;
}

/** Takes its value from a form's item, or from its own `value` and `onChange`. */
export function CodeField({ id, value = '', onChange, onWhole, autoFocus, block }: Props) {
  return (
    <Input
      id={id} className="mono code-field" size="large" value={value} inputMode="numeric" autoComplete="one-time-code" autoFocus={autoFocus} style={block ? undefined : { maxWidth: 190 }}
      // Longer than six: what is pasted may hold spaces.
      maxLength={12}
      onChange={(event) => {
        const digits = digitsOf(event.target.value);
        onChange?.(digits);
        if (digits.length === 6 && digits !== value) onWhole?.(digits);
      }}
    />
  );
}

export const digitsOf = (text: string): string => text.replace(/\D/g, '').slice(0, 6);
