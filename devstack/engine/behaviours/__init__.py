"""What each kind of element does when it is activated, completed and terminated."""
