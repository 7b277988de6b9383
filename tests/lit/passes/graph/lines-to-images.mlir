// RUN: lamina-opt %s -p lines-to-images | filecheck %s

// CHECK-LABEL: func.func @activation_between_windows_works_on_images
// CHECK-NEXT:    %a = graph.max_pool2d %x
// CHECK-NEXT:    %c = graph.relu %a {lamina.source = "relu1"} : tensor<1x4x1x8xf32> -> tensor<1x4x1x8xf32>
// CHECK-NEXT:    %y = graph.max_pool2d %c
// CHECK-NEXT:    func.return %y
func.func @activation_between_windows_works_on_images(%x: tensor<1x4x1x8xf32>) -> tensor<1x4x1x8xf32> {
  %a = graph.max_pool2d %x kernel [1, 3] strides [1, 1] pads [0, 1, 0, 1] : tensor<1x4x1x8xf32> -> tensor<1x4x1x8xf32>
  %b = graph.reshape %a : tensor<1x4x1x8xf32> -> tensor<1x4x8xf32>
  %c = graph.relu %b {lamina.source = "relu1"} : tensor<1x4x8xf32> -> tensor<1x4x8xf32>
  %d = graph.reshape %c : tensor<1x4x8xf32> -> tensor<1x4x1x8xf32>
  %y = graph.max_pool2d %d kernel [1, 3] strides [1, 1] pads [0, 1, 0, 1] : tensor<1x4x1x8xf32> -> tensor<1x4x1x8xf32>
  func.return %y : tensor<1x4x1x8xf32>
}

// Constants become images at once, other lines by a reshape, which is a view.
// CHECK-LABEL: func.func @other_operands_become_images
// CHECK:         graph.constant dense<{{.*}}> : tensor<1x4x1x1xf32> {lamina.source = "w"}
// CHECK-NEXT:    %[[M:.*]] = graph.mul %x, %{{.*}} -> tensor<1x4x1x8xf32>
// CHECK-NEXT:    %[[B:.*]] = graph.reshape %b : tensor<1x4x8xf32> -> tensor<1x4x1x8xf32>
// CHECK-NEXT:    %[[Y:.*]] = graph.add %[[M]], %[[B]]
// CHECK-NEXT:    %[[R:.*]] = graph.reshape %[[Y]] : tensor<1x4x1x8xf32> -> tensor<1x4x8xf32>
// CHECK-NEXT:    func.return %[[R]]
func.func @other_operands_become_images(%x: tensor<1x4x1x8xf32>, %b: tensor<1x4x8xf32>) -> tensor<1x4x8xf32> {
  %a = graph.reshape %x : tensor<1x4x1x8xf32> -> tensor<1x4x8xf32>
  %w = graph.constant dense<[[[1.0], [2.0], [3.0], [4.0]]]> : tensor<1x4x1xf32> {lamina.source = "w"}
  %m = graph.mul %a, %w : (tensor<1x4x8xf32>, tensor<1x4x1xf32>) -> tensor<1x4x8xf32>
  %y = graph.add %m, %b : (tensor<1x4x8xf32>, tensor<1x4x8xf32>) -> tensor<1x4x8xf32>
  func.return %y : tensor<1x4x8xf32>
}

// CHECK-LABEL: func.func @parameters_of_a_batch_norm_stay
// CHECK-NEXT:    graph.batch_norm %x, %p, %p, %p, %p epsilon 1.000000e-05 : (tensor<1x4x1x8xf32>, tensor<4xf32>,
func.func @parameters_of_a_batch_norm_stay(%x: tensor<1x4x1x8xf32>, %p: tensor<4xf32>) -> tensor<1x4x8xf32> {
  %a = graph.reshape %x : tensor<1x4x1x8xf32> -> tensor<1x4x8xf32>
  %y = graph.batch_norm %a, %p, %p, %p, %p epsilon 1.0e-05 : (tensor<1x4x8xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<1x4x8xf32>
  func.return %y : tensor<1x4x8xf32>
}

// CHECK-LABEL: func.func @concat_of_channels_works_on_images
// CHECK-NEXT:    graph.concat axis 1 %x, %x : {{.*}} -> tensor<1x8x1x8xf32>
func.func @concat_of_channels_works_on_images(%x: tensor<1x4x1x8xf32>) -> tensor<1x8x8xf32> {
  %a = graph.reshape %x : tensor<1x4x1x8xf32> -> tensor<1x4x8xf32>
  %y = graph.concat axis 1 %a, %a : (tensor<1x4x8xf32>, tensor<1x4x8xf32>) -> tensor<1x8x8xf32>
  func.return %y : tensor<1x8x8xf32>
}

// CHECK-LABEL: func.func @concat_along_the_line_stays
// CHECK:         graph.concat axis 2 %{{.*}} -> tensor<1x4x16xf32>
func.func @concat_along_the_line_stays(%x: tensor<1x4x1x8xf32>) -> tensor<1x4x16xf32> {
  %a = graph.reshape %x : tensor<1x4x1x8xf32> -> tensor<1x4x8xf32>
  %y = graph.concat axis 2 %a, %a : (tensor<1x4x8xf32>, tensor<1x4x8xf32>) -> tensor<1x4x16xf32>
  func.return %y : tensor<1x4x16xf32>
}

// CHECK-LABEL: func.func @resized_lines_are_images_resized_across
// CHECK-NEXT:    graph.repeat %x : tensor<1x4x1x8xf32> -> tensor<1x4x1x16xf32>
// CHECK-NEXT:    graph.resample %x over [1, 3] at(%i, %i : tensor<5x2xi32>, tensor<5x2xi32>) : tensor<1x4x1x8xf32> -> tensor<1x5x1x5xf32>
func.func @resized_lines_are_images_resized_across(%x: tensor<1x4x1x8xf32>, %i: tensor<5x2xi32>) -> (tensor<1x4x1x16xf32>, tensor<1x5x1x5xf32>) {
  %a = graph.reshape %x : tensor<1x4x1x8xf32> -> tensor<1x4x8xf32>
  %r = graph.repeat %a : tensor<1x4x8xf32> -> tensor<1x4x16xf32>
  %y = graph.reshape %r : tensor<1x4x16xf32> -> tensor<1x4x1x16xf32>
  %s = graph.resample %a over [1, 2] at(%i, %i : tensor<5x2xi32>, tensor<5x2xi32>) : tensor<1x4x8xf32> -> tensor<1x5x5xf32>
  %z = graph.reshape %s : tensor<1x5x5xf32> -> tensor<1x5x1x5xf32>
  func.return %y, %z : tensor<1x4x1x16xf32>, tensor<1x5x1x5xf32>
}

// CHECK-LABEL: func.func @lines_that_were_no_images_stay
// CHECK:         graph.relu %{{.*}} : tensor<1x4x16xf32> -> tensor<1x4x16xf32>
func.func @lines_that_were_no_images_stay(%x: tensor<1x4x2x8xf32>) -> tensor<1x4x16xf32> {
  %a = graph.reshape %x : tensor<1x4x2x8xf32> -> tensor<1x4x16xf32>
  %y = graph.relu %a : tensor<1x4x16xf32> -> tensor<1x4x16xf32>
  func.return %y : tensor<1x4x16xf32>
}
