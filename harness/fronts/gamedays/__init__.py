"""Game days: a plan of scenarios, drills and questions, led through by hand or kept on a schedule."""
