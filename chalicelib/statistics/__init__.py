"""What the register says when it is counted (M22-M24, M86): above complaints, below nobody."""
