"""`deepsel stats`: what was asked, spent, waited for and saved; the sums stand in health."""
