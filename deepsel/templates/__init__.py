"""Templates of questions: what is asked again and again, with variables; read and filled here, asked elsewhere."""
