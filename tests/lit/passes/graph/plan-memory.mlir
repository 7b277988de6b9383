// RUN: lamina-opt %s -p plan-memory --split-input-file --verify-diagnostics | filecheck %s
// RUN: lamina-opt %s -p 'plan-memory{alignment=128 stack=0}' --split-input-file --verify-diagnostics | filecheck %s --check-prefix=DEVICE

// The first buffer is free again when the third is written: 2 x 64 bytes for three buffers.
// DEVICE-LABEL: func.func @storage_is_used_again(
// DEVICE-SAME:    %arena: memref<256xi8> {lamina.arena})
// CHECK-LABEL: func.func @storage_is_used_again(
// CHECK-SAME:    %arena: memref<128xi8> {lamina.arena})
// CHECK-NEXT:    %[[B:.*]] = arith.constant 64 : index
// CHECK-NEXT:    %[[A:.*]] = arith.constant 0 : index
// CHECK-NEXT:    %a = memref.view %arena[%[[A]]][] : memref<128xi8> to memref<4xf32>
// CHECK-NEXT:    %b = memref.view %arena[%[[B]]][] : memref<128xi8> to memref<4xf32>
// CHECK-NEXT:    %c = memref.view %arena[%[[A]]][] : memref<128xi8> to memref<4xf32>
func.func @storage_is_used_again(%x: memref<4xf32> {lamina.input = "x"}, %y: memref<4xf32> {lamina.output = "y"}) {
  %a = memref.alloc() : memref<4xf32>
  %b = memref.alloc() : memref<4xf32>
  %c = memref.alloc() : memref<4xf32>
  func.call @reverse(%x, %a) : (memref<4xf32>, memref<4xf32>) -> ()
  func.call @reverse(%a, %b) : (memref<4xf32>, memref<4xf32>) -> ()
  func.call @reverse(%b, %c) : (memref<4xf32>, memref<4xf32>) -> ()
  func.call @reverse(%c, %y) : (memref<4xf32>, memref<4xf32>) -> ()
  func.return
}
func.func private @reverse(%x: memref<4xf32>, %y: memref<4xf32>) {
  te.compute axes(i: 4) ins(%x[i * -1 + 3]) out(%y[i]) init 0.0 : f32 : memref<4xf32>, memref<4xf32> (%a: f32, %acc: f32) {
    te.yield %a : f32
  }
  func.return
}

// -----

// CHECK-LABEL: func.func @pointwise_kernel_works_in_place(
// CHECK-SAME:    %arena: memref<64xi8>
// CHECK:       func.func private @negate(%x: memref<4xf32> {lamina.may_alias}, %y: memref<4xf32> {lamina.may_alias})
func.func @pointwise_kernel_works_in_place(%x: memref<4xf32> {lamina.input = "x"}, %y: memref<4xf32> {lamina.output = "y"}) {
  %a = memref.alloc() : memref<4xf32>
  %b = memref.alloc() : memref<4xf32>
  func.call @negate(%x, %a) : (memref<4xf32>, memref<4xf32>) -> ()
  func.call @negate(%a, %b) : (memref<4xf32>, memref<4xf32>) -> ()
  func.call @negate(%b, %y) : (memref<4xf32>, memref<4xf32>) -> ()
  func.return
}
func.func private @negate(%x: memref<4xf32>, %y: memref<4xf32>) {
  te.compute axes(i: 4) ins(%x[i]) out(%y[i]) init 0.0 : f32 : memref<4xf32>, memref<4xf32> (%a: f32, %acc: f32) {
    %n = arith.negf %a : f32
    te.yield %n : f32
  }
  func.return
}

// -----

// The epilogue reads each element of %r where it writes the result; the sum reads all of %x.
// CHECK-LABEL: func.func @residual_is_overwritten
// CHECK-SAME:    %arena: memref<128xi8>
// CHECK:       func.func private @sum(%x: memref<4xf32>, %r: memref<4xf32> {lamina.may_alias}, %y: memref<4xf32> {lamina.may_alias})
func.func @residual_is_overwritten(%x: memref<4xf32> {lamina.input = "x"}, %y: memref<4xf32> {lamina.output = "y"}) {
  %a = memref.alloc() : memref<4xf32>
  %b = memref.alloc() : memref<4xf32>
  %c = memref.alloc() : memref<4xf32>
  func.call @sum(%x, %x, %a) : (memref<4xf32>, memref<4xf32>, memref<4xf32>) -> ()
  func.call @sum(%x, %x, %b) : (memref<4xf32>, memref<4xf32>, memref<4xf32>) -> ()
  func.call @sum(%a, %b, %c) : (memref<4xf32>, memref<4xf32>, memref<4xf32>) -> ()
  func.call @sum(%c, %x, %y) : (memref<4xf32>, memref<4xf32>, memref<4xf32>) -> ()
  func.return
}
func.func private @sum(%x: memref<4xf32>, %r: memref<4xf32>, %y: memref<4xf32>) {
  te.compute axes(i: 4, reduce j: 4) ins(%x[j]) extras(%r[i]) out(%y[i]) init 0.0 : f32 : memref<4xf32>, memref<4xf32>, memref<4xf32> (%a: f32, %acc: f32) {
    %s = arith.addf %acc, %a : f32
    te.yield %s : f32
  } epilogue (%v: f32, %c: f32) {
    %t = arith.addf %v, %c : f32
    te.yield %t : f32
  }
  func.return
}

// -----

// CHECK-LABEL: func.func private @small_buffer_goes_on_the_stack
// CHECK-NEXT:    memref.alloca() : memref<4xf32>
// DEVICE:        {lamina.scratch}
func.func private @small_buffer_goes_on_the_stack(%x: memref<4xf32>, %y: memref<4xf32>) {
  %t = memref.alloc() : memref<4xf32>
  te.compute axes(i: 4) ins(%x[i]) out(%t[i]) init 0.0 : f32 : memref<4xf32>, memref<4xf32> (%a: f32, %acc: f32) {
    te.yield %a : f32
  }
  te.compute axes(i: 4) ins(%t[i * -1 + 3]) out(%y[i]) init 0.0 : f32 : memref<4xf32>, memref<4xf32> (%a: f32, %acc: f32) {
    te.yield %a : f32
  }
  func.return
}

// -----

// CHECK-LABEL: func.func @large_buffer_comes_from_the_caller
// CHECK:         func.call @copy(%x, %[[T:.*]], %y) : (memref<32768xf32>, memref<32768xf32>, memref<32768xf32>) -> ()
// CHECK:       func.func private @copy(%x: memref<32768xf32>, %t: memref<32768xf32> {lamina.scratch}, %y: memref<32768xf32>)
// CHECK-NEXT:    te.compute
func.func @large_buffer_comes_from_the_caller(%x: memref<32768xf32> {lamina.input = "x"}, %y: memref<32768xf32> {lamina.output = "y"}) {
  func.call @copy(%x, %y) : (memref<32768xf32>, memref<32768xf32>) -> ()
  func.return
}
func.func private @copy(%x: memref<32768xf32>, %y: memref<32768xf32>) {
  %t = memref.alloc() : memref<32768xf32>
  te.compute axes(i: 32768) ins(%x[i]) out(%t[i]) init 0.0 : f32 : memref<32768xf32>, memref<32768xf32> (%a: f32, %acc: f32) {
    te.yield %a : f32
  }
  te.compute axes(i: 32768) ins(%t[i]) out(%y[i]) init 0.0 : f32 : memref<32768xf32>, memref<32768xf32> (%a: f32, %acc: f32) {
    te.yield %a : f32
  }
  func.return
}

// -----

// CHECK-LABEL: func.func @buffers_live_where_any_op_or_view_uses_them(
// CHECK-SAME:    %arena: memref<192xi8> {lamina.arena})
func.func @buffers_live_where_any_op_or_view_uses_them(%x: memref<4xf32> {lamina.input = "x"}, %y: memref<4xf32> {lamina.output = "y"}) {
  %a = memref.alloc() : memref<4xf32>
  %b = memref.alloc() : memref<4xf32>
  %c = memref.alloc() : memref<4xf32>
  te.compute axes(i: 4) ins(%x[i]) out(%a[i]) init 0.0 : f32 : memref<4xf32>, memref<4xf32> (%v: f32, %acc: f32) {
    te.yield %v : f32
  }
  %part = memref.subview %b[0] [4] [1] : memref<4xf32> to memref<4xf32>
  func.call @reverse(%x, %b) : (memref<4xf32>, memref<4xf32>) -> ()
  func.call @reverse(%x, %c) : (memref<4xf32>, memref<4xf32>) -> ()
  te.compute axes(i: 4) ins(%a[i], %part[i], %c[i]) out(%y[i]) init 0.0 : f32 : memref<4xf32>, memref<4xf32>, memref<4xf32>, memref<4xf32> (%u: f32, %v: f32, %w: f32, %acc: f32) {
    te.yield %u : f32
  }
  func.return
}
func.func private @reverse(%x: memref<4xf32>, %y: memref<4xf32>) {
  te.compute axes(i: 4) ins(%x[i * -1 + 3]) out(%y[i]) init 0.0 : f32 : memref<4xf32>, memref<4xf32> (%a: f32, %acc: f32) {
    te.yield %a : f32
  }
  func.return
}

// -----

// Any element may be read again after it would have been written over.
// CHECK-LABEL: func.func @integers_leave_no_operand_to_write_over(
// CHECK-SAME:      %arena: memref<128xi8>
func.func @integers_leave_no_operand_to_write_over(%at: memref<4xi32>, %x: memref<4xf32>, %y: memref<4xf32>) {
  %a = memref.alloc() : memref<4xf32>
  %b = memref.alloc() : memref<4xf32>
  func.call @take(%at, %x, %a) : (memref<4xi32>, memref<4xf32>, memref<4xf32>) -> ()
  func.call @take(%at, %a, %b) : (memref<4xi32>, memref<4xf32>, memref<4xf32>) -> ()
  func.call @take(%at, %b, %y) : (memref<4xi32>, memref<4xf32>, memref<4xf32>) -> ()
  func.return
}
func.func private @take(%at: memref<4xi32>, %x: memref<4xf32>, %y: memref<4xf32>) {
  te.compute axes(i: 4) ins(%at[i] as k: 4, %x[k]) out(%y[i]) init 0.0 : f32 : memref<4xi32>, memref<4xf32>, memref<4xf32>
    (%k: i32, %a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// -----

// CHECK: plan-memory: @allocates_in_a_loop allocates memref<4xf32> inside loop.for; allocate it before
func.func @allocates_in_a_loop(%x: memref<4xf32>, %y: memref<4xf32>) {
  loop.for %i < 4 {
    %a = memref.alloc() : memref<4xf32>
    func.call @reverse(%x, %a) : (memref<4xf32>, memref<4xf32>) -> ()
  }
  func.return
}
func.func private @reverse(%x: memref<4xf32>, %y: memref<4xf32>) {
  te.compute axes(i: 4) ins(%x[i * -1 + 3]) out(%y[i]) init 0.0 : f32 : memref<4xf32>, memref<4xf32> (%a: f32, %acc: f32) {
    te.yield %a : f32
  }
  func.return
}

// -----

// CHECK: plan-memory: @returns_what_it_allocates returns memref<4xf32>, which it allocates; write the result to an argument
func.func @returns_what_it_allocates(%x: memref<4xf32>) -> memref<4xf32> {
  %a = memref.alloc() : memref<4xf32>
  func.call @reverse(%x, %a) : (memref<4xf32>, memref<4xf32>) -> ()
  func.return %a : memref<4xf32>
}
func.func private @reverse(%x: memref<4xf32>, %y: memref<4xf32>) {
  te.compute axes(i: 4) ins(%x[i * -1 + 3]) out(%y[i]) init 0.0 : f32 : memref<4xf32>, memref<4xf32> (%a: f32, %acc: f32) {
    te.yield %a : f32
  }
  func.return
}

// -----

// CHECK: plan-memory: @is_planned has an arena already; run it once
func.func @is_planned(%x: memref<4xf32>, %y: memref<4xf32>, %arena: memref<64xi8> {lamina.arena}) {
  func.call @reverse(%x, %y) : (memref<4xf32>, memref<4xf32>) -> ()
  func.return
}
func.func private @reverse(%x: memref<4xf32>, %y: memref<4xf32>) {
  te.compute axes(i: 4) ins(%x[i * -1 + 3]) out(%y[i]) init 0.0 : f32 : memref<4xf32>, memref<4xf32> (%a: f32, %acc: f32) {
    te.yield %a : f32
  }
  func.return
}

// -----

// %a and %b live as long as %y around them; neither that nor a part of it is written over.
// CHECK-LABEL: func.func @parts_of_a_buffer_are_not_written_over(
// CHECK-SAME:      %arena: memref<128xi8>
// CHECK-NOT:   lamina.may_alias
func.func @parts_of_a_buffer_are_not_written_over(%x: memref<4xf32>, %z: memref<4xf32>) {
  %y = memref.alloc() : memref<8xf32>
  %a = memref.subview %y[0] [4] [1] : memref<8xf32> to memref<4xf32>
  %b = memref.subview %y[4] [4] [1] : memref<8xf32> to memref<4xf32>
  %c = memref.alloc() : memref<4xf32>
  %d = memref.alloc() : memref<4xf32>
  func.call @negate(%x, %c) : (memref<4xf32>, memref<4xf32>) -> ()
  func.call @negate(%c, %a) : (memref<4xf32>, memref<4xf32>) -> ()
  func.call @negate(%a, %b) : (memref<4xf32>, memref<4xf32>) -> ()
  func.call @negate(%b, %d) : (memref<4xf32>, memref<4xf32>) -> ()
  func.call @reverse(%d, %z) : (memref<4xf32>, memref<4xf32>) -> ()
  func.return
}
func.func private @negate(%x: memref<4xf32>, %y: memref<4xf32>) {
  te.compute axes(i: 4) ins(%x[i]) out(%y[i]) init 0.0 : f32 : memref<4xf32>, memref<4xf32> (%a: f32, %acc: f32) {
    %n = arith.negf %a : f32
    te.yield %n : f32
  }
  func.return
}
func.func private @reverse(%x: memref<4xf32>, %y: memref<4xf32>) {
  te.compute axes(i: 4) ins(%x[i * -1 + 3]) out(%y[i]) init 0.0 : f32 : memref<4xf32>, memref<4xf32> (%a: f32, %acc: f32) {
    te.yield %a : f32
  }
  func.return
}
