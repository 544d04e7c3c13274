import { SearchOutlined } from '@ant-design/icons';
import { Input } from 'antd';
import { useEffect, useRef, useState } from 'react';

import { useShortcuts } from './shortcuts';

const SEARCH_DELAY = 300;

interface SearchFieldProps {
  label: string;
  placeholder: string;
  className: string;
  /** What is searched for now. */
  text: string;
  onSearch: (text: string) => void;
}

/** Searches while one types, a moment after the last key; `/` leads to it. */
export function SearchField({ label, placeholder, className, text, onSearch }: SearchFieldProps) {
  const [typed, setTyped] = useState(text);
  const field = useRef<HTMLDivElement>(null);
  useShortcuts({ '/': () => field.current?.querySelector('input')?.focus() });
  useEffect(() => {
    if (typed.trim() === text) return undefined;
    const timer = setTimeout(() => onSearch(typed.trim()), SEARCH_DELAY);
    return () => clearTimeout(timer);
  }, [typed, text, onSearch]);
  return (
    <div ref={field}>
      <Input
        className={className}
        aria-label={label}
        placeholder={placeholder}
        prefix={<SearchOutlined />}
        allowClear
        maxLength={100}
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
        onPressEnter={() => onSearch(typed.trim())}
      />
    </div>
  );
}
