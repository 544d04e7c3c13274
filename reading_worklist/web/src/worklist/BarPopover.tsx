import { Popover } from 'antd';
import { type ReactNode, useState } from 'react';

interface BarPopoverProps {
  /** What is in it, for who hears the page. */
  label: string;
  className: string;
  content: ReactNode;
  /** The button that opens it; it is told whether it has. */
  children: (open: boolean) => ReactNode;
}

/** What a button of the bar above the list opens; Escape closes it. */
export function BarPopover({ label, className, content, children }: BarPopoverProps) {
  const [open, setOpen] = useState(false);
  return (
    <Popover
      open={open}
      onOpenChange={setOpen}
      trigger="click"
      placement="bottomRight"
      arrow={false}
      content={
        <div
          className={className}
          role="group"
          aria-label={label}
          onKeyDown={(event) => {
            if (event.key === 'Escape') setOpen(false);
          }}
        >
          {content}
        </div>
      }
    >
      {children(open)}
    </Popover>
  );
}
