#!/bin/sh
# .git/hooks/pre-commit: the same without the pre-commit framework.
exec deepsel estimate --staged -m deepseek-flash --max-increase 50% -- prompts
